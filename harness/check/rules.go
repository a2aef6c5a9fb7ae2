package check

// The rules of objects: registers, collections of values, banks and counters.
var (
	durableRule = Rule{"durable", "In the end every node holds what was acknowledged, and nothing that failed.", judgeDurable}

	linearizableRule = Rule{"linearizable",
		"Each operation on a register appears to take effect at one instant between its beginning and its end.", judgeLinearizable}

	totalRule    = Rule{"bank", "One order of transfers explains every balance that was read, and no balance is negative.", judgeTotal}
	countedRule  = Rule{"counter", "A counter is the sum of its increments.", judgeCounted}
	onlyOnceRule = Rule{"unique", "At most one client gets a value.", judgeOnlyOnce}
)
