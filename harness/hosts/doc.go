// Package hosts runs any program on hosts that this process makes.
package hosts
