package disk

import "errors"

// IdentityDir is the directory of a node's identity: a small file, Owner, which is read only when
// the node starts.
const IdentityDir = "identity"

// wipeIdentity removes the files in IdentityDir. The caller must have the disk open.
func (d *Disk) wipeIdentity() error {
	names, err := d.stable.list(IdentityDir)
	errs := []error{err}
	for _, name := range names {
		errs = append(errs, d.stable.remove(IdentityDir+"/"+name))
	}
	return errors.Join(errs...)
}
