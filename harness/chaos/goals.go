package chaos

import "context"

// Goal is a state that trouble is to bring about, in words.
type Goal string

func (p *play) watch(ctx context.Context) {}
