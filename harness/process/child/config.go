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

// Config is what a node is told when it starts. ID, Address, Dir and Control
// must be given. Of the settings, see embedded.Config for what they mean and
// what 0 stands for.
type Config struct {
	ID      string `json:"id"`
	Address string `json:"address"` // host:port, which the node listens at
	Dir     string `json:"dir"`     // where it keeps its files; it must exist
	Control string `json:"control"` // the path of the unix socket it is asked at; at most MaxControl bytes
	// First are the first members of a new cluster, this node among them; none
	// for a node that waits to be added.
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
	// Skip are entries of the log that are refused unseen: see machine.Options.Skip.
	Skip  []machine.Skipped `json:"skip,omitempty"`
	Token string            `json:"token,omitempty"`
	// LogLevel is the least severe line that goes to stderr: trace, debug, info,
	// warn, error or off; warn if empty.
	LogLevel string `json:"log_level,omitempty"`

	// Orders are those in force when the node starts.
	Orders Orders `json:"orders"`
}

// Limits are those of statements: see machine.Options.
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

// Host is a node by its name and its address, host:port.
type Host struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Orders are what a node is told of the world around it, when it starts and at
// any time later. What is left out stays as it is.
type Orders struct {
	// Hosts are nodes that it did not know before.
	Hosts []Host `json:"hosts,omitempty"`
	// Links are what links are from now on, of which this node is one end.
	Links []LinkRule `json:"links,omitempty"`
	// Resets are links whose next message is to be cut in half.
	Resets []network.Link `json:"resets,omitempty"`
	// Disk is what is wrong with its disk.
	Disk *fault.Disk `json:"disk,omitempty"`
	// Ahead is how far its clock is ahead of the machine's.
	Ahead *time.Duration `json:"ahead,omitempty"`
}

// LinkRule is a link with its rule.
type LinkRule struct {
	network.Link
	Rule fault.Rule `json:"rule"`
}

// MaxControl is how long the path of a unix socket may be on every system.
const MaxControl = 103

const maxDocument = 1 << 20 // bytes, of a Config or of Orders

// readConfig reads one Config, and leaves what follows it unread.
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
		return errors.New("there is none")
	}
	return err
}

// Validate returns everything that is wrong with the configuration and that does
// not need the node's own judgement.
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

// Validate returns what is wrong with the orders, but for hosts that do not exist.
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
		problems = append(problems, fmt.Errorf("a disk cannot be slower by %v", o.Disk.Slow))
	}
	return errors.Join(problems...)
}

func validateLink(l network.Link) error {
	if l.From == "" || l.To == "" {
		return errors.New("a link has two ends")
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
		err = fmt.Errorf("%s is no address that others could know", address)
	}
	return err
}

// CheckLogLevel returns why there is no such level, or nil.
func CheckLogLevel(level string) error {
	if level != "" && hclog.LevelFromString(level) == hclog.NoLevel {
		return fmt.Errorf("there is no log level %q: trace, debug, info, warn, error or off", level)
	}
	return nil
}
