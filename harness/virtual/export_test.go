package virtual

// SeedOf exports seedOf to tests.
var SeedOf = seedOf
