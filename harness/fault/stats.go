package fault

// LinkStats counts what a link has carried since its network began: the evidence that a rule took
// effect.
type LinkStats struct {
	// Messages and Bytes were delivered. A link that drops everything delivers none.
	Messages, Bytes uint64
	// Lost is how often a message was lost and had to be sent again.
	Lost uint64
	// Resets is how many connections were reset in the middle of a message.
	Resets uint64
}

// Plus returns the sum of two counts, for a link whose two ends count separately.
func (s LinkStats) Plus(t LinkStats) LinkStats {
	return LinkStats{s.Messages + t.Messages, s.Bytes + t.Bytes, s.Lost + t.Lost, s.Resets + t.Resets}
}
