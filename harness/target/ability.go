package target

// Ability is the name of what a Cluster may be able to do.
type Ability string

// The abilities, and what a Cluster with each of them is.
const (
	Stop    Ability = "stop and start nodes"            // Starter
	Crash   Ability = "crash nodes"                     // Starter
	Pause   Ability = "freeze nodes"                    // Pauser
	Links   Ability = "make single links worse"         // Linker
	Disks   Ability = "make disks fail"                 // Disker
	Clocks  Ability = "set nodes' clocks wrong"         // Skewer
	Members Ability = "add and remove nodes"            // Membership
	Time    Ability = "let time pass at once"           // Clock
	Logs    Ability = "show what the nodes wrote"       // Logger
	Keys    Ability = "remember requests by name"       // Rememberer
	Survey  Ability = "tell what is wrong around nodes" // Surveyor
	Diverge Ability = "let one node differ"             // Diverger
	Files   Ability = "list the nodes' files"           // Keeper
	Ports   Ability = "be spoken to by strangers"       // Porter
	Moves   Ability = "move nodes"                      // Mover
	Roles   Ability = "report changes of role"          // Observer
)

// Abilities are all abilities.
func Abilities() []Ability {
	return []Ability{Stop, Crash, Pause, Links, Disks, Clocks, Members, Time, Logs, Keys, Survey, Diverge, Files, Ports, Moves, Roles}
}

// Can tells whether the cluster has the ability.
func Can(c Cluster, ability Ability) bool {
	switch ability {
	case Stop, Crash:
		return is[Starter](c)
	case Pause:
		return is[Pauser](c)
	case Links:
		return is[Linker](c)
	case Disks:
		return is[Disker](c)
	case Clocks:
		return is[Skewer](c)
	case Members:
		return is[Membership](c)
	case Time:
		return is[Clock](c)
	case Logs:
		return is[Logger](c)
	case Keys:
		return is[Rememberer](c)
	case Survey:
		return is[Surveyor](c)
	case Diverge:
		return is[Diverger](c)
	case Files:
		return is[Keeper](c)
	case Ports:
		return is[Porter](c)
	case Moves:
		return is[Mover](c)
	case Roles:
		return is[Observer](c)
	}
	return false
}

func is[A any](c Cluster) bool {
	_, can := As[A](c)
	return can
}

// Decorator is a Cluster around another one. It has the abilities of the other
// cluster, apart from those that it implements itself.
type Decorator interface {
	Cluster
	// Unwrap returns the cluster that this one decorates.
	Unwrap() Cluster
}

// As returns the interface A of the cluster, such as Starter or Digester: its own, or
// that of the cluster that it decorates. It returns false if none of them has it.
func As[A any](c Cluster) (ability A, can bool) {
	for c != nil {
		if ability, can = c.(A); can {
			return ability, true
		}
		d, decorates := c.(Decorator)
		if !decorates {
			break
		}
		c = d.Unwrap()
	}
	return ability, false
}
