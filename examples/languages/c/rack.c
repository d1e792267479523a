// A Planet (plugin) in C: the letters of a word, to play with.

#include <stdlib.h>
#include <string.h>

#include "rack_planet.h"

static rack_planet_list_string_t known;

static void info(const char *message) {
    rack_planet_string_t target, text;
    rack_planet_string_set(&target, "rack");
    rack_planet_string_set(&text, message);
    kokoro_core_log_write(KOKORO_CORE_LOG_LEVEL_INFO, &target, &text);
}

// Told when the Planet starts, after those that it requires, and when it stops. `false` is why it cannot start.
bool exports_kokoro_core_lifecycle_start(rack_planet_string_t *error) {
    (void)error;
    words_game_dictionary_words(&known);
    info("start");
    return true;
}

void exports_kokoro_core_lifecycle_stop(void) {
    info("stop");
    rack_planet_list_string_free(&known);
}

static int compare(const void *a, const void *b) {
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

bool exports_words_game_rack_draw(uint32_t number, rack_planet_string_t *letters, rack_planet_string_t *error) {
    if (known.len == 0) {
        rack_planet_string_dup(error, "the dictionary has no words");
        return false;
    }
    rack_planet_string_t word = known.ptr[number % known.len];
    rack_planet_string_dup_n(letters, (const char *)word.ptr, word.len);
    qsort(letters->ptr, letters->len, 1, compare);
    return true;
}
