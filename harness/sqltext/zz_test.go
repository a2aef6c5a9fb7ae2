package sqltext_test
import ("testing")
func TestMany(t *testing.T) {
	pair, err := newTwins(); if err != nil { t.Fatal(err) }
	if err := furnish(pair); err != nil { t.Fatal(err) }
	n := 0
	for seed := range uint64(60000) {
		seed += 1000000
		ok, err := compare(pair, seed)
		if err != nil && !t.Failed() { t.Error(err) }
		if ok { n++ }
	}
	t.Log(n)
}
