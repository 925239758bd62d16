"""Reading files of posts: containers, compression, encodings and shapes, each recognised from its first bytes."""
