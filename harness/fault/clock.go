package fault

import (
	"fmt"
	"time"
)

// Skew describes how far a clock is ahead of the true time, or behind it if negative.
func Skew(ahead time.Duration) string {
	switch {
	case ahead > 0:
		return fmt.Sprintf("%v ahead", ahead)
	case ahead < 0:
		return fmt.Sprintf("%v behind", -ahead)
	}
	return "right"
}
