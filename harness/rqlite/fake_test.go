package rqlite_test

const fakeVariable = "RQLITE_FAKE"
