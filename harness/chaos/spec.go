package chaos

func Spec(s Schedule) string { return "" }
