package page

import (
	"html/template"
	"slices"
)

// Parts are what draws a trace, for a page of another package: the style sheet, uPlot, and the scripts without those of the list and
// of the page as a whole.
type Parts struct {
	Style           template.CSS
	Library, Script template.JS
}

// Drawing returns the parts. The page must have an element #toast and an element #tip.
func Drawing() (Parts, error) {
	style, err := text("uplot/uPlot.min.css", "page.css")
	if err != nil {
		return Parts{}, err
	}
	library, err := text("uplot/uPlot.iife.min.js")
	if err != nil {
		return Parts{}, err
	}
	drawing := slices.DeleteFunc(slices.Clone(scripts), func(name string) bool { return name == "list.js" || name == "main.js" })
	script, err := text(drawing...)
	return Parts{Style: template.CSS(style), Library: template.JS(library), Script: template.JS(script)}, err
}
