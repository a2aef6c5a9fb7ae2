package described

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"
)

// Template parses a template of this package. Besides the functions of text/template it has json, which writes a value
// as JSON: integers with every digit, and blobs and floats as the encoding says.
func Template(text string, as Encoding) (*template.Template, error) {
	t, err := template.New("").Funcs(template.FuncMap{"json": func(v any) (string, error) { return as.json(v) }}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("it is no template: %s", strings.TrimPrefix(strings.TrimPrefix(err.Error(), "template: "), ":"))
	}
	return t, nil
}

// noValue is what a template writes for a key that is missing or null.
const noValue = "<no value>"

// Render executes a template. A value that is missing or null is written as nothing.
func Render(t *template.Template, data any) (string, error) {
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return "", err
	}
	return strings.ReplaceAll(b.String(), noValue, ""), nil
}

func (as Encoding) json(v any) (string, error) {
	switch v := v.(type) {
	case []byte:
		return within(as.Blob, base64.StdEncoding.EncodeToString(v))
	case float64:
		if as.Real != "" {
			return within(as.Real, strconv.FormatFloat(v, 'g', -1, 64))
		}
		if math.IsNaN(v) {
			return "null", nil
		}
		if math.IsInf(v, 0) {
			return strconv.FormatFloat(math.Copysign(9, v), 'f', 0, 64) + "e999", nil
		}
		text, err := json.Marshal(v)
		if err == nil && !strings.ContainsAny(string(text), ".eE") {
			text = append(text, ".0"...)
		}
		return string(text), err
	case string:
		if !utf8.ValidString(v) {
			if as.Text == "" {
				return "", errors.New("text is not UTF-8")
			}
			return within(as.Text, base64.StdEncoding.EncodeToString([]byte(v)))
		}
	case []any:
		parts := make([]string, len(v))
		for i, one := range v {
			text, err := as.json(one)
			if err != nil {
				return "", err
			}
			parts[i] = text
		}
		return "[" + strings.Join(parts, ",") + "]", nil
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// within is text in an object of one key; the text alone if there is no key.
func within(key, text string) (string, error) {
	if key == "" {
		return strconv.Quote(text), nil
	}
	written, err := json.Marshal(map[string]string{key: text})
	return string(written), err
}
