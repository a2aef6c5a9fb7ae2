//go:build !unix

package network

import "errors"

// errNoReservation is the error of everything that holds a port for another process here.
var errNoReservation = errors.New("holding a port for another process needs a Unix system")

// Reservation cannot be made on this system: see Reserve.
type Reservation struct{}

// Reserve fails: two processes cannot share a port here.
func Reserve() (*Reservation, error) { return nil, errNoReservation }

// Addr returns nothing: there is no Reservation here.
func (r *Reservation) Addr() string { return "" }

// Close does nothing: there is no Reservation here.
func (r *Reservation) Close() error { return nil }

// share fails: two processes cannot share an address here.
func share(int) error { return errNoReservation }
