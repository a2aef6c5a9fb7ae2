package wire

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// members parses the members of an object and passes each to member. It returns true when it has
// passed the opening bracket of the array called enter, and false when it has passed the closing
// brace.
func (r *Reader) members(first bool, enter string, member func(key string, raw jsontext.Value) error) (entered bool, err error) {
	for ; ; first = false {
		c, err := r.src.peek()
		if err != nil {
			return false, err
		}
		if c == '}' {
			r.src.at++
			return false, nil
		}
		if !first {
			if err := r.src.take(','); err != nil {
				return false, err
			}
		}
		key, err := r.key()
		if err != nil {
			return false, err
		}
		if c, err = r.src.peek(); err != nil {
			return false, err
		}
		if key == enter && c == '[' {
			r.src.at++
			return true, nil
		}
		raw, _, err := r.src.value(r.limit)
		if err != nil {
			return false, err
		}
		if !jsontext.Value(raw).IsValid(jsontext.AllowDuplicateNames(true)) {
			return false, fmt.Errorf("%w: %q is not valid JSON: %s", ErrMalformed, key, quoted(raw))
		}
		if err := member(key, raw); err != nil {
			return false, fmt.Errorf("%w: %q: %w", ErrMalformed, key, err)
		}
	}
}

// key consumes the name of a member and the colon.
func (r *Reader) key() (string, error) {
	if _, err := r.src.peek(); err != nil {
		return "", err
	}
	raw, _, err := r.src.value(r.limit)
	if err != nil {
		return "", err
	}
	name, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "", fmt.Errorf("%w: %s is not a valid key: %w", ErrMalformed, quoted(raw), err)
	}
	return string(name), r.src.take(':')
}

// element returns whether an element of an array follows. It consumes the comma before it, or
// else the closing bracket.
func (r *Reader) element(first bool) (bool, error) {
	c, err := r.src.peek()
	switch {
	case err != nil:
		return false, err
	case c == ']':
		r.src.at++
		return false, nil
	case first:
		return true, nil
	case c != ',':
		return false, r.src.take(',')
	}
	r.src.at++
	return true, nil
}
