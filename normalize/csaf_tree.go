package normalize

// csafProductTree is the product_tree of a document.
type csafProductTree struct {
	Branches      []csafBranch       `json:"branches"`
	FullNames     []csafProduct      `json:"full_product_names"`
	Groups        []csafGroup        `json:"product_groups"`
	Relationships []csafRelationship `json:"relationships"`
}

type csafBranch struct {
	Branches []csafBranch `json:"branches"`
	Category string       `json:"category"`
	Name     string       `json:"name"`
	Product  *csafProduct `json:"product"`
}

type csafProduct struct {
	Helper struct {
		CPE  string `json:"cpe"`
		Purl string `json:"purl"`
	} `json:"product_identification_helper"`
	ID   string `json:"product_id"`
	Name string `json:"name"`

	versions string // the name of a branch of category product_version_range
}

type csafGroup struct {
	ID       string   `json:"group_id"`
	Products []string `json:"product_ids"`
}

type csafRelationship struct {
	Product csafProduct `json:"full_product_name"`
	Of      string      `json:"product_reference"`
	To      string      `json:"relates_to_product_reference"`
}

// A csafIndex finds products by their ID.
type csafIndex struct {
	products  map[string]*csafProduct
	relations map[string]*csafRelationship
	groups    map[string][]string
	clashes   []string // IDs that stand for several products
}

// csafBranchDepth bounds the nesting of branches; the standard's own limit of
// paths is 30 (section 3.2.2.1).
const csafBranchDepth = 100

func (t *csafProductTree) index() *csafIndex {
	x := &csafIndex{
		products:  map[string]*csafProduct{},
		relations: make(map[string]*csafRelationship, len(t.Relationships)),
		groups:    map[string][]string{},
	}
	for i := range t.FullNames {
		x.add(&t.FullNames[i])
	}
	x.branches(t.Branches, 0)
	for i := range t.Relationships {
		r := &t.Relationships[i]
		if old, ok := x.relations[r.Product.ID]; ok && (old.Of != r.Of || old.To != r.To) {
			x.clashes = append(x.clashes, r.Product.ID)
			continue
		}
		x.relations[r.Product.ID] = r
	}
	for _, g := range t.Groups {
		x.groups[g.ID] = append(x.groups[g.ID], g.Products...)
	}
	return x
}

func (x *csafIndex) branches(branches []csafBranch, depth int) {
	if depth > csafBranchDepth {
		return
	}
	for i := range branches {
		if p := branches[i].Product; p != nil {
			if branches[i].Category == "product_version_range" {
				p.versions = branches[i].Name
			}
			x.add(p)
		}
		x.branches(branches[i].Branches, depth+1)
	}
}

// add takes in a product. Of two with one ID the one that says what it is
// stays; two that say different things clash, and the first stays.
func (x *csafIndex) add(p *csafProduct) {
	old, ok := x.products[p.ID]
	switch {
	case !ok || !old.identified():
		x.products[p.ID] = p
	case p.identified() && p.Helper != old.Helper:
		x.clashes = append(x.clashes, p.ID)
	}
}

func (p *csafProduct) identified() bool { return p.Helper.CPE != "" || p.Helper.Purl != "" }

// members returns products and those of groups.
func (x *csafIndex) members(products, groups []string) []string {
	for _, g := range groups {
		products = append(products[:len(products):len(products)], x.groups[g]...)
	}
	return products
}

// A csafPlace is what a product ID stands for: a product and, innermost
// first, the components that it was resolved through.
type csafPlace struct {
	product    *csafProduct
	components []*csafProduct
}

// resolve follows relationships from id to the product at their end. It
// reports false where something on the way is not in the tree.
func (x *csafIndex) resolve(id string) (csafPlace, bool) {
	var at csafPlace
	for range 8 { // a package in a module in a product is 2
		r, ok := x.relations[id]
		if !ok {
			at.product = x.products[id]
			return at, at.product != nil
		}
		c := x.products[r.Of]
		if c == nil {
			return at, false
		}
		at.components = append(at.components, c)
		id = r.To
	}
	return at, false
}
