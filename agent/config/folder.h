/*
 * folder.h - a folder whose files are read since they are there: conf.d,
 * sources.d.
 */
#ifndef CONFIG_FOLDER_H
#define CONFIG_FOLDER_H

struct config_errors;

/*
 * The names of the files in folder that are read, NAME.yaml
 * (config_is_dropin()), sorted by their bytes and ended by NULL, for
 * config_folder_free().  Where there is no such folder there are none.
 *
 * What is there and looks like what is read, and is not, is added to errors,
 * which may be NULL: something else than a folder, a link that leads nowhere,
 * a folder that may not be read, and files NAME.yml.
 */
char **config_folder(const char *folder, struct config_errors *errors);
void config_folder_free(char **names);

#endif /* CONFIG_FOLDER_H */
