package described

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/template"
)

// Template parses a template of this package. Besides the functions of text/template it has json, which writes a value
// as JSON: integers with every digit, floats with a point or an exponent, and blobs as blob says (see HTTP.Blob).
func Template(text, blob string) (*template.Template, error) {
	t, err := template.New("").Funcs(template.FuncMap{"json": func(v any) (string, error) { return toJSON(v, blob) }}).Parse(text)
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

func toJSON(v any, blob string) (string, error) {
	switch v := v.(type) {
	case []byte:
		text := strconv.Quote(base64.StdEncoding.EncodeToString(v))
		if blob == "" {
			return text, nil
		}
		key, err := json.Marshal(blob)
		return "{" + string(key) + ":" + text + "}", err
	case float64:
		text, err := json.Marshal(v)
		if err == nil && !strings.ContainsAny(string(text), ".eE") {
			text = append(text, ".0"...)
		}
		return string(text), err
	case []any:
		parts := make([]string, len(v))
		for i, one := range v {
			text, err := toJSON(one, blob)
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
