package containers

// OwnerOf is the label of what a process owns.
var OwnerOf = ownerOf
