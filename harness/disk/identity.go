package disk

import "errors"

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
