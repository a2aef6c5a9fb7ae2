package hosts

// Packets returns the options with veth pairs and packet sockets in place of TUN devices.
func (o Options) Packets() Options {
	o.packets = true
	return o
}

// Because is because.
var Because = because
