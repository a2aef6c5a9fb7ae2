// Package inprocess is a cluster of embedded nodes in this process, on any network.Network. The targets local and
// virtual share it.
package inprocess
