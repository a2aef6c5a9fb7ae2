//go:build cgo

// Package needs_cgo_so_set_CGO_ENABLED_1_and_install_a_C_compiler is empty. It can only be built
// with cgo, and package sqlite imports it without: so the go command stops there, and its one line
// says what is missing.
package needs_cgo_so_set_CGO_ENABLED_1_and_install_a_C_compiler
