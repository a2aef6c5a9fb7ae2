package targettest

import (
	"context"
	"errors"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// ofDisks are the checks of DiskFaulter.
func ofDisks() []Check {
	needs := []target.Ability{target.Disks}
	return []Check{
		{Name: "slows disks", Needs: needs, Alone: true, run: slowsDisks},
		{Name: "fills disks", Needs: needs, Alone: true, run: fillsDisks},
		{Name: "refuses a part of a disk that does not exist", Needs: needs, run: refusesPart},
	}
}

// setDisks sets the faults of all disks.
func (s *subject) setDisks(ctx context.Context, faults fault.Disk) error {
	disks, _ := target.As[target.DiskFaulter](s.Cluster)
	inspector, inspects := target.As[target.FaultInspector](s.Cluster)
	for i := range s.Nodes() {
		if err := disks.SetDisk(ctx, i, faults); err != nil {
			return wrong("DiskFaulter.SetDisk", "the disk of node %s cannot be made %s: %v", s.id(i), faults, err)
		}
		if !inspects {
			continue
		}
		if is, err := inspector.Disk(ctx, i); err != nil || is != faults {
			return wrong("FaultInspector.Disk", "the disk of node %s was made %s, and is %s (error: %v)", s.id(i), faults, is, err)
		}
	}
	return nil
}

func slowsDisks(ctx context.Context, s *subject) error {
	slow := s.o.Silence / 2
	if err := s.setDisks(ctx, fault.Disk{Slow: slow}); err != nil {
		return err
	}
	begun := time.Now()
	if _, err := s.written(ctx, 0); err != nil {
		return wrong("DiskFaulter.SetDisk", "syncs of all disks take %v longer, and: %v", slow, err)
	}
	if took := time.Since(begun); took < slow {
		return wrong("DiskFaulter.SetDisk", "syncs of all disks take %v longer, and a write was acknowledged after %v", slow, took)
	}
	if err := s.setDisks(ctx, fault.Disk{}); err != nil {
		return err
	}
	return s.level(ctx)
}

func fillsDisks(ctx context.Context, s *subject) error {
	if err := s.setDisks(ctx, fault.Disk{Full: true, Failing: true}); err != nil {
		return err
	}
	err, late := s.obeys(ctx, func(ctx context.Context) error { return s.put(ctx, s.client(0), s.key()) })
	if late || err == nil {
		return wrong("DiskFaulter.SetDisk", "all disks are full and fail, and a write %s", succeededOr(late))
	}
	return s.setDisks(ctx, fault.Disk{})
}

func refusesPart(ctx context.Context, s *subject) error {
	disks, _ := target.As[target.DiskFaulter](s.Cluster)
	if file, err := disks.Damage(ctx, 0, "no such part"); err == nil {
		return wrong("DiskFaulter.Damage", "a part of the disk that does not exist was damaged, in file %q", file)
	}
	if err := disks.SetDisk(ctx, 0, fault.Disk{Slow: -1}); err == nil {
		return errors.Join(wrong("DiskFaulter.SetDisk", "a disk was made faster than it is"), disks.SetDisk(ctx, 0, fault.Disk{}))
	}
	return nil
}
