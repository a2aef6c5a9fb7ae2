package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

func duration(section, name, usage string, least, most time.Duration, field func(*Settings) *time.Duration) key {
	return key{
		section: section, name: name, usage: usage, form: anyScalar,
		allowed: func(limits) string { return showDuration(least) + " to " + showDuration(most) },
		set: func(s *Settings, text string, _ limits) string {
			value, err := time.ParseDuration(text)
			switch {
			case err != nil && isNumber(text):
				return quote(text) + " has no unit such as ms, s or m"
			case err != nil:
				return quote(text) + " is not a duration"
			case value < least || value > most:
				return named(text) + " is out of range"
			}
			*field(s) = value
			return ""
		},
		show: func(s *Settings) string { return showDuration(*field(s)) },
	}
}

func whole[N int | uint64](section, name, usage string, least, most int64, field func(*Settings) *N) key {
	return key{
		section: section, name: name, usage: usage, form: unquoted,
		allowed: func(limits) string {
			if most == unlimited {
				return fmt.Sprintf("%d or more", least)
			}
			return fmt.Sprintf("%d to %d", least, most)
		},
		set: func(s *Settings, text string, _ limits) string {
			value, problem := parseWhole(text, least, most)
			if problem == "" {
				*field(s) = N(value)
			}
			return problem
		},
		show: func(s *Settings) string { return fmt.Sprint(*field(s)) },
	}
}

func size(section, name, usage string, least, most int64, field func(*Settings) *int64) key {
	return key{
		section: section, name: name, usage: usage, form: anyScalar,
		allowed: func(limits) string {
			return fmt.Sprintf("%s to %s, in bytes or with KiB, MiB or GiB", showSize(least), showSize(most))
		},
		set: func(s *Settings, text string, _ limits) string {
			value, problem := parseSize(text, least, most)
			if problem == "" {
				*field(s) = value
			}
			return problem
		},
		show: func(s *Settings) string { return showSize(*field(s)) },
	}
}

func chance(section, name, usage string, field func(*Settings) *float64) key {
	return key{
		section: section, name: name, usage: usage, form: unquoted,
		allowed: func(limits) string { return "0 to 1" },
		set: func(s *Settings, text string, _ limits) string {
			value, problem := parseChance(text)
			if problem == "" {
				*field(s) = value
			}
			return problem
		},
		show: func(s *Settings) string { return strconv.FormatFloat(*field(s), 'g', -1, 64) },
	}
}

func toggle(section, name, usage string, field func(*Settings) *bool) key {
	return key{
		section: section, name: name, usage: usage, form: unquoted,
		allowed: func(limits) string { return "true or false" },
		set: func(s *Settings, text string, _ limits) string {
			if text != "true" && text != "false" {
				return quote(text) + " is neither true nor false"
			}
			*field(s) = text == "true"
			return ""
		},
		show: func(s *Settings) string { return strconv.FormatBool(*field(s)) },
	}
}

func suiteText(name, usage, allowed string, problem func(string) string, field func(*Settings) *string) key {
	return key{
		section: suite, name: name, usage: usage, form: textual,
		allowed: func(limits) string { return allowed },
		set: func(s *Settings, text string, _ limits) string {
			if wrong := problem(text); wrong != "" {
				return wrong
			}
			*field(s) = text
			return ""
		},
		show: func(s *Settings) string { return *field(s) },
	}
}

func choice(section, name, usage string, words func(limits) []string, field func(*Settings) *string) key {
	return key{
		section: section, name: name, usage: usage, form: anyScalar,
		allowed: func(l limits) string { return strings.Join(words(l), ", ") },
		set: func(s *Settings, text string, l limits) string {
			if !slices.Contains(words(l), text) {
				return quote(text) + " is not one of them"
			}
			*field(s) = text
			return ""
		},
		show: func(s *Settings) string { return *field(s) },
	}
}
