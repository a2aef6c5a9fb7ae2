package hosts

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// usesLibc returns nil if the program takes the time from glibc as a shared library, or why it does not. For a script, it is
// about its interpreter.
func usesLibc(path string) error {
	const interpreters = 5 // as many as the kernel follows
	for range interpreters {
		next, err := interpreter(path)
		if err != nil {
			return err
		}
		if next == "" {
			return binaryUsesLibc(path)
		}
		path = next
	}
	return errors.New("its interpreters are scripts")
}

// interpreter returns the program that a script names in its first line, or "".
func interpreter(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()  // it was only read
	const longest = 256 // bytes that the kernel reads
	line, err := bufio.NewReader(io.LimitReader(file, longest)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	rest, is := strings.CutPrefix(line, "#!")
	words := strings.Fields(rest)
	if !is || len(words) == 0 {
		return "", nil
	}
	if filepath.Base(words[0]) == "env" && len(words) == 2 {
		return exec.LookPath(words[1])
	}
	return words[0], nil
}

func binaryUsesLibc(path string) error {
	file, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("read its format: %w", err)
	}
	defer file.Close() // it was only read
	if file.Section(".note.go.buildid") != nil || file.Section(".go.buildinfo") != nil {
		return errors.New("it is a Go program, which reads the clock without the C library")
	}
	for _, program := range file.Progs {
		if program.Type != elf.PT_INTERP {
			continue
		}
		loader, err := io.ReadAll(program.Open())
		if err != nil {
			return fmt.Errorf("read its format: %w", err)
		}
		if name := filepath.Base(strings.TrimRight(string(loader), "\x00")); !strings.HasPrefix(name, "ld-linux") &&
			!strings.HasPrefix(name, "ld64") {
			return fmt.Errorf("it uses another C library than glibc: its loader is %s", name)
		}
		return nil
	}
	return errors.New("it is a static program, which reads the clock without a shared C library")
}
