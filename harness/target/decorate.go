package target

import (
	"context"
	"errors"
	"time"
)

// Decorate returns a target whose clusters are those of t, each passed through decorate. It is a
// Seeder or a Pacer if t is. If decorate returns an error, Boot closes the cluster and returns
// that error.
func Decorate(t Target, decorate func(Cluster) (Cluster, error)) Target {
	d := decorated{t, decorate}
	seeder, seeds := t.(Seeder)
	pacer, paces := t.(Pacer)
	switch {
	case seeds && paces:
		return struct {
			decorated
			seeding
			pacing
		}{d, seeding{seeder, decorate}, pacing{pacer, decorate}}
	case seeds:
		return struct {
			decorated
			seeding
		}{d, seeding{seeder, decorate}}
	case paces:
		return struct {
			decorated
			pacing
		}{d, pacing{pacer, decorate}}
	}
	return d
}

type decorated struct {
	target   Target
	decorate func(Cluster) (Cluster, error)
}

func (d decorated) Boot(ctx context.Context, size int) (Cluster, error) {
	booted, err := d.target.Boot(ctx, size)
	if err != nil {
		return nil, err
	}
	c, err := d.decorate(booted)
	if err != nil {
		return nil, errors.Join(err, booted.Close())
	}
	return c, nil
}

type seeding struct {
	seeder   Seeder
	decorate func(Cluster) (Cluster, error)
}

func (s seeding) Seeded(seed uint64) Target { return Decorate(s.seeder.Seeded(seed), s.decorate) }

type pacing struct {
	pacer    Pacer
	decorate func(Cluster) (Cluster, error)
}

func (p pacing) AtPace(election time.Duration) Target {
	return Decorate(p.pacer.AtPace(election), p.decorate)
}
