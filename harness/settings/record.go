package settings

// Values returns every setting as ginkgo.yml would have it, by its section and name, such as
// "cluster.nodes": for the record of a run.
func (s Settings) Values() map[string]string {
	values := make(map[string]string, len(keys))
	for _, k := range keys {
		values[k.path()] = k.show(&s)
	}
	return values
}
