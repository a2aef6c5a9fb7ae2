package nemesis

import (
	"context"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Kind is a kind of fault, with everything that is particular to it.
type Kind struct {
	Name fault.Kind
	// Doc completes the sentence "The fault …".
	Doc string
	// Needs are the abilities of the target that the fault or its undoing requires.
	Needs []target.Ability
	// On is what the fault acts on. It decides which fields of fault.Fault have a meaning.
	On Subject
	// Claims is what the fault needs for itself.
	Claims Claim
	// MinNodes is the smallest cluster that the fault is possible in; 0 is any.
	MinNodes int
	// Forgets is set if the node loses what it had promised to keep. It must come back as a new member.
	Forgets bool
	// KeepsQuorum is set if the fault takes neither the leader nor a quorum away.
	KeepsQuorum bool
	// Unit is the smallest By that is drawn for a target of that election timeout; the largest is 128
	// times as long. It is nil if By has no meaning.
	Unit func(pace time.Duration) time.Duration
	// Rule is what the links follow, unless the fault has a Rule of its own. It is nil if the kind
	// sets no rule.
	Rule func(fault.Fault) fault.Rule
	// Check returns why the fault is invalid, beyond what On decides. It may be nil.
	Check func(fault.Fault) error
	// Inject makes the fault, which is in effect when Inject returns. If it fails, nothing is left to
	// undo.
	Inject func(context.Context, *Injection) (Undo, error)
	// LacksQuorum tells whether an error of Inject can mean that there is no leader or no quorum. It
	// is nil if the injection needs none.
	LacksQuorum func(error) bool
	// Bit tells whether the evidence from before the injection and from before the undoing shows that
	// the fault had an effect.
	Bit func(before, after Evidence) bool
}

// Undo ends what a fault did. It blocks until that is done or ctx ends.
type Undo func(ctx context.Context) error

// Subject is what a kind of fault acts on.
type Subject string

// The subjects, and the fields of fault.Fault that say which one.
const (
	Node    Subject = "node"                      // Node
	Disk    Subject = "disk of a node"            // Node
	Clock   Subject = "clock of a node"           // Node
	Member  Subject = "member"                    // Node, of a member that is there before
	Link    Subject = "link"                      // Links: one
	Links   Subject = "link in both directions"   // Links: one, and the one back
	Leader  Subject = "leader"                    // the one at the time of the injection
	Network Subject = "links between groups"      // Groups
	Cluster Subject = "all nodes, or the members" // none
)

// Claim is what a fault needs for itself, so that no other fault meets it there.
type Claim int

const (
	// ClaimsNothing lets a fault meet any other.
	ClaimsNothing Claim = iota
	// ClaimsNode reserves the fault's node.
	ClaimsNode
	// ClaimsNodeAlone reserves the fault's node, and no other node may be reserved when it begins.
	ClaimsNodeAlone
	// ClaimsAll reserves all nodes, and none may be reserved before.
	ClaimsAll
)

// namesNode tells whether the fault's Node has a meaning.
func (k Kind) namesNode() bool {
	return slices.Contains([]Subject{Node, Disk, Clock, Member}, k.On)
}

// namesLinks tells whether the fault's Links have a meaning.
func (k Kind) namesLinks() bool { return k.On == Link || k.On == Links }

// LinksFrom returns the links of a fault of this kind that begins with this link: the link, or the
// link and the one back. It is nil if the kind acts on no link.
func (k Kind) LinksFrom(link fault.Link) []fault.Link {
	switch k.On {
	case Link:
		return []fault.Link{link}
	case Links:
		return []fault.Link{link, link.Back()}
	default:
		return nil
	}
}

// Describe describes a fault of this kind in words.
func (k Kind) Describe(f fault.Fault) string {
	if !k.namesNode() {
		f.Node = fault.NoNode
	}
	if k.Unit == nil {
		f.By = 0
	}
	return f.String()
}
