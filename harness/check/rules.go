package check

// The rules of objects: registers, collections of values, banks and counters.
var (
	durableRule = Rule{"durable", "What was acknowledged is there in the end, on every node, and what failed is not.", judgeDurable}

	linearizableRule = Rule{"linearizable",
		"Each register looks as if each operation took effect at one instant between its beginning and its end.", judgeLinearizable}

	totalRule    = Rule{"bank", "One order of transfers explains every balance that was read, and no balance is negative.", judgeTotal}
	countedRule  = Rule{"counter", "A counter is the sum of what was added.", judgeCounted}
	onlyOnceRule = Rule{"unique", "A value is taken at most once.", judgeOnlyOnce}
)
