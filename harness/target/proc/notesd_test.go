package proc_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/mattn/go-sqlite3"
)

// notesdVariable has the test binary be notesd.
const notesdVariable = "REJOIN_NOTESD"

func init() {
	if os.Getenv(notesdVariable) != "" {
		os.Exit(notesd())
	}
}

// notesServer is notesd: the first node leads for ever, the others send it their changes, and it sends them to the others.
type notesServer struct {
	name    string
	peers   []string
	db      *sql.DB
	mu      sync.Mutex
	applied uint64
}

type batch struct {
	Local      bool
	Sent       bool // by the leader
	Statements []struct {
		SQL     string
		Params  []any
		Returns bool
	}
}

type result struct {
	Columns  []string
	Rows     [][]any
	Affected int64
}

type reply struct {
	Results []result
	Error   string
}

func notesd() int {
	s := &notesServer{}
	flags := flag.NewFlagSet("notesd", flag.ContinueOnError)
	listen, dir := flags.String("listen", "", ""), flags.String("dir", "", "")
	peers, join := flags.String("peers", "", ""), flags.Bool("join", false, "")
	flags.StringVar(&s.name, "name", "", "")
	fails := flags.String("fail", "", "")
	if err := flags.Parse(os.Args[1:]); err != nil {
		return 2
	}
	fmt.Printf("notesd %s starts, join %v, version %s\n", s.name, *join, os.Getenv("VERSION"))
	if *fails != "" {
		fmt.Println(*fails)
		return 3
	}
	if *peers != "" {
		s.peers = strings.Split(*peers, ",")
	}
	var err error
	if s.db, err = sql.Open("sqlite3", "file:"+filepath.Join(*dir, "notes.db")+"?_synchronous=EXTRA"); err != nil {
		fmt.Println(err)
		return 1
	}
	s.db.SetMaxOpenConns(1)
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	http.HandleFunc("/batch", s.batch)
	http.HandleFunc("/status", s.status)
	go func() { _ = http.Serve(l, nil) }()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	fmt.Println("notesd stops")
	_ = s.db.Close()
	return 0
}

func (s *notesServer) status(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = json.NewEncoder(w).Encode(map[string]any{"Leader": "n0", "Applied": s.applied})
}

func (s *notesServer) batch(w http.ResponseWriter, r *http.Request) {
	var b batch
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	changes := false
	for _, one := range b.Statements {
		changes = changes || !one.Returns
	}
	if s.name != "n0" && changes && !b.Sent {
		answer, err := s.forward(r.Context(), "n0:7000", b)
		if err != nil {
			answer = &reply{Error: "no leader: " + err.Error()}
		}
		_ = json.NewEncoder(w).Encode(answer)
		return
	}
	answer := s.execute(b)
	if s.name == "n0" && changes && answer.Error == "" {
		b.Sent = true
		for _, peer := range s.peers {
			_, _ = s.forward(r.Context(), peer, b) // it misses what does not reach it
		}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *notesServer) forward(ctx context.Context, to string, b batch) (*reply, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	body, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, "POST", "http://"+to+"/batch", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer reply
	return &answer, json.NewDecoder(response.Body).Decode(&answer)
}

func (s *notesServer) execute(b batch) *reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := &reply{}
	tx, err := s.db.Begin()
	if err != nil {
		return &reply{Error: err.Error()}
	}
	defer tx.Rollback() // after a commit it does nothing
	for _, one := range b.Statements {
		rows, err := tx.Query(one.SQL, one.Params...)
		if err != nil {
			return &reply{Error: err.Error()}
		}
		r := result{}
		r.Columns, _ = rows.Columns()
		for rows.Next() {
			row, into := make([]any, len(r.Columns)), make([]any, len(r.Columns))
			for i := range into {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				return &reply{Error: err.Error()}
			}
			for i, v := range row {
				if text, is := v.([]byte); is {
					row[i] = string(text)
				}
			}
			r.Rows = append(r.Rows, row)
		}
		if err := rows.Err(); err != nil {
			return &reply{Error: err.Error()}
		}
		_ = tx.QueryRow("SELECT changes()").Scan(&r.Affected)
		answer.Results = append(answer.Results, r)
	}
	if err := tx.Commit(); err != nil {
		return &reply{Error: err.Error()}
	}
	s.applied++
	return answer
}
