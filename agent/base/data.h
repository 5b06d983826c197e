/*
 * data.h - where the data files are that come with the program.
 */
#ifndef BASE_DATA_H
#define BASE_DATA_H

/*
 * The folder that is installed as name, which the caller frees: beside the
 * program where it was built (in_tree, from the top of the source tree, or the
 * link with the last part of that name that the build makes), or where it was
 * installed.  It need not be there.
 */
char *data_folder(const char *name, const char *in_tree);

#endif /* BASE_DATA_H */
