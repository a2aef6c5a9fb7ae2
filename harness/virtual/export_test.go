package virtual

// SeedOf is for specs.
var SeedOf = seedOf
