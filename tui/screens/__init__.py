"""The screens, one a file. Lines 1 and 2 stand live on each; nothing here judges, asks a source or names a panel."""
