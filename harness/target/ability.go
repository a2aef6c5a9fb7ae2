package target

// Ability is what a Cluster may be able to do, as words after "the target cannot".
type Ability string

// The abilities. Each is an interface that a Cluster implements.
const (
	Isolate   Ability = "isolate nodes"                        // every Cluster, unless its Isolating says no
	Stop      Ability = "stop and start nodes"                 // Starter
	Crash     Ability = "crash nodes"                          // Starter
	Pause     Ability = "pause nodes"                          // Pauser
	Links     Ability = "degrade single links"                 // LinkFaulter
	Packets   Ability = "duplicate and reorder packets"        // PacketCarrier
	Disks     Ability = "inject disk faults"                   // DiskFaulter
	Clocks    Ability = "skew clocks"                          // ClockSetter
	Members   Ability = "add and remove nodes"                 // Membership
	Time      Ability = "advance virtual time"                 // Clock
	Logs      Ability = "read node logs"                       // LogReader
	Dedup     Ability = "deduplicate requests"                 // Deduplicator
	Survey    Ability = "inspect faults in force"              // FaultInspector
	Diverge   Ability = "change the data of one replica alone" // Diverger
	Files     Ability = "list node files"                      // FileLister
	Dial      Ability = "accept raw connections"               // Dialer
	Addresses Ability = "change node addresses"                // AddressChanger
	Roles     Ability = "report changes of role"               // RoleReporter

	Transactions Ability = "run interactive transactions" // Transactor
	Versions     Ability = "run several versions"         // Upgrader
)

// Abilities returns all abilities.
func Abilities() []Ability {
	return []Ability{
		Isolate, Stop, Crash, Pause, Links, Packets, Disks, Clocks, Members, Time, Logs, Dedup, Survey, Diverge, Files, Dial,
		Addresses, Roles, Transactions, Versions,
	}
}

// Can tells whether the cluster has the ability.
func Can(c Cluster, ability Ability) bool {
	switch ability {
	case Isolate:
		isolating, says := As[Isolating](c)
		return !says || isolating.Isolates()
	case Stop, Crash:
		return is[Starter](c)
	case Pause:
		return is[Pauser](c)
	case Links:
		return is[LinkFaulter](c)
	case Packets:
		carrier, is := As[PacketCarrier](c)
		return is && carrier.CarriesPackets()
	case Disks:
		return is[DiskFaulter](c)
	case Clocks:
		return is[ClockSetter](c)
	case Members:
		return is[Membership](c)
	case Time:
		return is[Clock](c)
	case Logs:
		return is[LogReader](c)
	case Dedup:
		return is[Deduplicator](c)
	case Survey:
		return is[FaultInspector](c)
	case Diverge:
		return is[Diverger](c)
	case Files:
		return is[FileLister](c)
	case Dial:
		return is[Dialer](c)
	case Addresses:
		return is[AddressChanger](c)
	case Roles:
		return is[RoleReporter](c)
	case Transactions:
		return is[Transactor](c)
	case Versions:
		return is[Upgrader](c)
	}
	return false
}

func is[A any](c Cluster) bool {
	_, can := As[A](c)
	return can
}

// Decorator is a Cluster around another one. It has the abilities of the other cluster, and may
// replace some by implementing them itself.
type Decorator interface {
	Cluster
	// Unwrap returns the cluster that this one decorates.
	Unwrap() Cluster
}

// As returns the cluster as A, an interface such as Starter or Digester: the cluster itself, or
// the first one that it decorates that implements A. can is false if none does.
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
