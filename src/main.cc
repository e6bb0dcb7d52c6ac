#include "src/cli/cli.hh"

int main(int argc, char** argv) { return wakepath::cli::main(argc, argv); }
