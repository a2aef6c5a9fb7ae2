package fault

// LinkStats counts what a link has carried since its network began: the evidence that a rule took
// effect. A message is a packet where links carry packets.
type LinkStats struct {
	// Messages and Bytes were delivered. A link that drops everything delivers none.
	Messages, Bytes uint64
	// Lost is how often a message was lost and had to be sent again.
	Lost uint64
	// Resets is how many connections were reset in the middle of a message.
	Resets uint64
	// Empty is how many of Messages were packets without content: acknowledgements, handshakes and ends
	// of connections, which the kernel of a host sends. Links of messages have none.
	Empty uint64
	// Duplicates is how many packets were delivered twice, Reordered how many were delivered after the
	// packet that followed them: see Rule.Packets.
	Duplicates, Reordered uint64
}

// Plus returns the sum of two counts, for a link whose two ends count separately.
func (s LinkStats) Plus(t LinkStats) LinkStats {
	return LinkStats{
		Messages: s.Messages + t.Messages, Bytes: s.Bytes + t.Bytes, Lost: s.Lost + t.Lost, Resets: s.Resets + t.Resets,
		Empty: s.Empty + t.Empty, Duplicates: s.Duplicates + t.Duplicates, Reordered: s.Reordered + t.Reordered,
	}
}
