package embedded

import (
	"errors"
	"fmt"
	"os"
)

// lockDir locks a node's directory until the returned file is closed. The lock is on the directory
// itself and creates no file. Without it a second node with the same directory would block
// indefinitely when it opens the log.
func lockDir(dir string) (*os.File, error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := lock(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func lock(dir *os.File) error {
	info, err := dir.Stat()
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir.Name())
	}
	err = lockFile(dir)
	if errors.Is(err, errLocked) {
		return fmt.Errorf("directory %s is in use by another node", dir.Name())
	}
	if err != nil {
		return fmt.Errorf("lock directory %s: %w", dir.Name(), err)
	}
	return nil
}
