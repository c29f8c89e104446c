"""Generated files in a repository of their own: projects, records of what was generated, merges with hand edits."""
