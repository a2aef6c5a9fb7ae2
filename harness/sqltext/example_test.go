package sqltext_test

import (
	"fmt"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

func ExampleSplit() {
	statements, err := sqltext.Split(`
		CREATE NAMESPACE shop;
		INSERT INTO shop.item VALUES ('nails; 50 mm'); -- the long ones
	`)
	if err != nil {
		panic(err)
	}
	for _, s := range statements {
		fmt.Printf("%q %q\n", s.Text, s.Namespace)
	}
	// Output:
	// "CREATE NAMESPACE shop" "shop"
	// "INSERT INTO shop.item VALUES ('nails; 50 mm')" ""
}

func ExampleSplit_error() {
	_, err := sqltext.Split("SELECT 1;\nSELECT 'two")
	fmt.Println(err)
	// Output: line 2, column 8: unterminated string
}

func ExampleStatement_Qualify() {
	exists := func(namespace string) bool { return namespace == "shop" }
	for _, sql := range []string{
		"SELECT item.name FROM shop.item WHERE shop.item.id = $1",
		"CREATE INDEX by_name ON shop.item (name)",
		"DELETE FROM office.chair",
	} {
		s := sqltext.Statement{Text: sql}
		fmt.Println(s.Qualify(exists))
	}
	// Output:
	// SELECT item.name FROM "shop.item" AS "item" WHERE "item".id = ?1 <nil>
	// CREATE INDEX "shop.by_name" ON "shop.item" (name) <nil>
	//  namespace "office" does not exist
}

func ExampleOrdered() {
	fmt.Println(sqltext.Ordered("SELECT * FROM t ORDER BY id"))
	fmt.Println(sqltext.Ordered("SELECT * FROM (SELECT * FROM t ORDER BY id)"))
	// Output:
	// true
	// false
}
