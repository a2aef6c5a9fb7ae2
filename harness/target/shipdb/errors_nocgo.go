//go:build !cgo

package main

import _ "github.com/mattn/go-sqlite3" // whose driver says that it needs cgo

func ownFault(error) bool { return true }

func codeOf(error) string { return "sql" }
