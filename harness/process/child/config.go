package child

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// Config is the configuration of a node at its start. ID, Address, Dir and Control are required. See embedded.Config for
// the meaning and the defaults of the settings.
type Config struct {
	ID      string `json:"id"`
	Address string `json:"address"` // host:port at which the node listens
	Dir     string `json:"dir"`     // directory for its files; must exist
	Control string `json:"control"` // path of its control socket; at most MaxControl bytes
	// First are the initial members of a new cluster, including this node. It is empty for a node that will be added to
	// a cluster.
	First []Host `json:"first,omitempty"`

	ElectionTimeout   time.Duration `json:"election_timeout,omitempty"`
	SnapshotThreshold uint64        `json:"snapshot_threshold,omitempty"`
	SnapshotInterval  time.Duration `json:"snapshot_interval,omitempty"`
	TrailingLogs      int64         `json:"trailing_logs,omitempty"`
	WriteTimeout      time.Duration `json:"write_timeout,omitempty"`
	RequestTimeout    time.Duration `json:"request_timeout,omitempty"`
	ReadTimeout       time.Duration `json:"read_timeout,omitempty"`
	MaxBody           int64         `json:"max_body,omitempty"`
	Limits            Limits        `json:"limits,omitzero"`
	// Skip are log entries that are rejected without being applied: see machine.Options.Skip.
	Skip  []machine.Skipped `json:"skip,omitempty"`
	Token string            `json:"token,omitempty"`
	// LogLevel is the minimum level of the log on stderr: trace, debug, info, warn, error or off; default warn.
	LogLevel string `json:"log_level,omitempty"`

	// Orders are in effect from the start.
	Orders Orders `json:"orders"`
}

// Limits are the limits on statements: see machine.Options.
type Limits struct {
	Budget      int64 `json:"budget,omitempty"`
	Memory      int64 `json:"memory,omitempty"`
	AnswerLimit int64 `json:"answer_limit,omitempty"`
	ReadBudget  int64 `json:"read_budget,omitempty"`
	ReadMemory  int64 `json:"read_memory,omitempty"`
	Readers     int   `json:"readers,omitempty"`
}

func (l Limits) options(skip []machine.Skipped) machine.Options {
	return machine.Options{
		Budget: l.Budget, Memory: l.Memory, AnswerLimit: l.AnswerLimit,
		ReadBudget: l.ReadBudget, ReadMemory: l.ReadMemory, Readers: l.Readers, Skip: skip,
	}
}

// Host is a node with its name and its address, host:port.
type Host struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Orders tell a node about its environment, at the start and later. Zero fields change nothing.
type Orders struct {
	// Hosts are new nodes.
	Hosts []Host `json:"hosts,omitempty"`
	// Links are new rules of links that have this node at one end.
	Links []LinkRule `json:"links,omitempty"`
	// Resets are links whose next message must break off in the middle.
	Resets []network.Link `json:"resets,omitempty"`
	// Disk are the faults of its disk.
	Disk *fault.Disk `json:"disk,omitempty"`
	// Ahead is how far its clock is ahead of the machine's.
	Ahead *time.Duration `json:"ahead,omitempty"`
}

// LinkRule is a link with its rule.
type LinkRule struct {
	network.Link
	Rule fault.Rule `json:"rule"`
}

// MaxControl is the maximum length in bytes of the path of a unix socket that all systems support.
const MaxControl = 103

const maxDocument = 1 << 20 // maximum bytes of a Config and of Orders

// readConfig reads one Config, and does not read beyond it.
func readConfig(from io.Reader) (Config, error) {
	var c Config
	limited := &io.LimitedReader{R: from, N: maxDocument}
	err := decode(limited, &c)
	if limited.N == 0 && err != nil {
		err = fmt.Errorf("it is longer than %d bytes", maxDocument)
	}
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return Config{}, fmt.Errorf("read the node's configuration: %w", err)
	}
	return c, nil
}

func decode(from io.Reader, into any) error {
	decoder := json.NewDecoder(from)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == io.EOF {
		return errors.New("it is empty")
	}
	return err
}

// Validate returns all problems of the configuration that can be found without starting the node, joined.
func (c Config) Validate() error {
	var problems []error
	for _, must := range []struct{ name, value string }{{"id", c.ID}, {"dir", c.Dir}, {"control", c.Control}} {
		if must.value == "" {
			problems = append(problems, fmt.Errorf("it has no %s", must.name))
		}
	}
	if len(c.Control) > MaxControl {
		problems = append(problems, fmt.Errorf("control is longer than %d bytes: %s", MaxControl, c.Control))
	}
	if err := checkAddress(c.Address); err != nil {
		problems = append(problems, fmt.Errorf("address: %w", err))
	}
	if err := CheckLogLevel(c.LogLevel); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(append(problems, checkHosts(c.First), c.Orders.Validate())...)
}

// Validate returns all problems of the orders, joined. It does not check whether hosts exist.
func (o Orders) Validate() error {
	problems := []error{checkHosts(o.Hosts)}
	for _, link := range o.Links {
		if err := errors.Join(validateLink(link.Link), link.Rule.Validate()); err != nil {
			problems = append(problems, fmt.Errorf("link from %q to %q: %w", link.From, link.To, err))
		}
	}
	for _, link := range o.Resets {
		if err := validateLink(link); err != nil {
			problems = append(problems, fmt.Errorf("reset from %q to %q: %w", link.From, link.To, err))
		}
	}
	if o.Disk != nil && o.Disk.Slow < 0 {
		problems = append(problems, fmt.Errorf("disk slowdown %v: must not be negative", o.Disk.Slow))
	}
	return errors.Join(problems...)
}

func validateLink(l network.Link) error {
	if l.From == "" || l.To == "" {
		return errors.New("both ends must be named")
	}
	return nil
}

func checkHosts(hosts []Host) error {
	var problems []error
	for _, host := range hosts {
		if host.Name == "" {
			problems = append(problems, fmt.Errorf("the host at %q has no name", host.Address))
		}
		if err := checkAddress(host.Address); err != nil {
			problems = append(problems, fmt.Errorf("host %q: %w", host.Name, err))
		}
	}
	return errors.Join(problems...)
}

func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil && port == "0" {
		err = fmt.Errorf("%s: port 0 is not allowed", address)
	}
	return err
}

// CheckLogLevel returns an error if there is no such level. The empty level is valid.
func CheckLogLevel(level string) error {
	if level != "" && hclog.LevelFromString(level) == hclog.NoLevel {
		return fmt.Errorf("unknown log level %q: must be trace, debug, info, warn, error or off", level)
	}
	return nil
}
