package sqltext

// Parameters returns the number of parameters of the statement, counted like SQLite: ? has the
// number after the largest so far, ?5 and $5 are the fifth, and each name is one parameter. The
// rules: https://sqlite.org/lang_expr.html#parameters
func (s Statement) Parameters() int {
	greatest := 0
	var names map[string]bool
	for i := 0; i < len(s.Text); {
		k, end := scan(s.Text, i)
		spelled := s.Text[i:end]
		i = end
		if k != parameter {
			continue
		}
		switch number, numbered := parameterNumber(spelled); {
		case numbered:
			greatest = max(greatest, number)
		case spelled == "?":
			greatest++
		case !names[spelled]:
			if names == nil {
				names = map[string]bool{}
			}
			names[spelled] = true
			greatest++
		}
	}
	return greatest
}

// greatestNumber is the maximum result of parameterNumber, far above SQLite's limit.
const greatestNumber = 1 << 30

// parameterNumber returns the number of a parameter written ?5 or $5.
func parameterNumber(spelled string) (number int, numbered bool) {
	if len(spelled) < 2 || spelled[0] != '?' && spelled[0] != '$' {
		return 0, false
	}
	for _, c := range []byte(spelled[1:]) {
		if class[c]&digit == 0 {
			return 0, false
		}
		number = min(10*number+int(c-'0'), greatestNumber)
	}
	return number, true
}

// Parameters returns the total number of parameters of the statements. Each statement uses its
// own, in order.
func Parameters(statements []Statement) int {
	sum := 0
	for _, s := range statements {
		sum += s.Parameters()
	}
	return sum
}
