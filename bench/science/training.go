package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed-4c77ef92/textwarp/internal/kernels"
	"github.com/seed-4c77ef92/textwarp/trainer"
)

// preset is what the settings of all experiments stand over.
const preset = "nano"

// train makes sure that the training run of a trial is finished, from where it
// stands, and returns its directory.
func (l *lab) train(ctx context.Context, t Trial, pool *kernels.Pool) (string, error) {
	dir := filepath.Join(l.runs(), t.Run())
	unlock := l.lock(t.Run())
	defer unlock()
	s, err := l.settings(t)
	if err != nil {
		return "", err
	}
	_, missing := os.Stat(filepath.Join(dir, trainer.ConfigFile))
	if missing == nil { // the settings that it was begun with, and the shards of today
		begun, err := trainer.ReadConfig(dir)
		if err != nil {
			return "", err
		}
		begun.Data = s.Data
		s.Config = begun
	}
	start := time.Now()
	data, err := trainer.OpenData(s.Config, nil)
	if err != nil {
		return "", err
	}
	var run *trainer.Trainer
	o := trainer.Options{Pool: pool}
	if missing == nil {
		run, _, err = trainer.Resume(dir, s.Config, data, o)
	} else {
		run, err = trainer.Start(dir, s, data, o)
	}
	if err != nil {
		return "", err
	}
	from := run.Step()
	err = run.Run(ctx)
	if closed := run.Close(); err == nil {
		err = closed
	}
	if err == nil && run.Step() > from {
		l.log("%s: steps %d to %d in %.0f s (run %s)", t, from, run.Step(), time.Since(start).Seconds(), t.Run())
	}
	return dir, err
}

// settings resolves those of a trial's training.
func (l *lab) settings(t Trial) (*trainer.Settings, error) {
	s, err := trainer.NewSettings(preset)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(t.Train)) {
		if strings.HasPrefix(key, demoPrefix) {
			continue
		}
		if err := s.Set(key, fmt.Sprint(t.Train[key]), "experiment"); err != nil {
			return nil, err
		}
	}
	s.Data.Stream, s.Data.HeldOut = l.corpus.train, l.corpus.heldOut
	return s, nil
}

// String names a trial in messages.
func (t Trial) String() string { return fmt.Sprintf("%s, seed %d", t.Variant, t.Seed) }
