package disk

import "errors"

// Everything is the whole disk. Damage empties it, which is for a disk that no node has.
const Everything Part = "whole disk"

// IdentityDir is where a node keeps who it is: a small file, Owner, which is read only
// when the node starts.
const IdentityDir = "identity"

// wipeIdentity removes what is in IdentityDir. The caller has the disk.
func (d *Disk) wipeIdentity() error {
	names, err := d.stable.list(IdentityDir)
	errs := []error{err}
	for _, name := range names {
		errs = append(errs, d.stable.remove(IdentityDir+"/"+name))
	}
	return errors.Join(errs...)
}
