"""What a study is: its schema, how it is read, the parts it names, and the ready studies."""
