"""Finding what of a project belongs to a question: by words, by references, by meaning where that is set up."""
