package settings

import "slices"

// Variables are the settings of the cluster that are not as in [Default], as variables of the
// environment, REJOIN_NODES=5, that give another run the same. Those named in except, as in
// "cluster.target", are left out.
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
