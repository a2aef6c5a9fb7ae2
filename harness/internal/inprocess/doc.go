// Package inprocess is a cluster of embedded nodes in this process, over any
// network.Network: what the targets local and virtual have in common.
package inprocess
