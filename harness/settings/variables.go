package settings

import "slices"

// Variables returns the environment variables, for example REJOIN_NODES=5, that give a run the same cluster
// settings: one for each setting that differs from [Default], except the paths in except, for example
// "cluster.target".
func (c Cluster) Variables(except ...string) []string {
	defaults, own := Default(), Settings{Cluster: c}
	var variables []string
	for _, k := range keys {
		if k.section != cluster || slices.Contains(except, k.path()) {
			continue
		}
		if value := k.show(&own); value != k.show(&defaults) {
			variables = append(variables, k.variable()+"="+value)
		}
	}
	return variables
}

// Named returns all settings of the cluster by their names, as in "cluster.nodes", as a file
// has them.
func (c Cluster) Named() map[string]string {
	own, named := Settings{Cluster: c}, make(map[string]string)
	for _, k := range keys {
		if k.section == cluster {
			named[k.path()] = k.show(&own)
		}
	}
	return named
}
