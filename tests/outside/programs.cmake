# What both projects build. Neither says anything but the name of the library.
add_executable(regression ${CMAKE_CURRENT_LIST_DIR}/regression.cpp)
target_link_libraries(regression PRIVATE gradus::gradus)

add_executable(train_lenet5 ${CMAKE_CURRENT_LIST_DIR}/../../examples/train_lenet5.cpp)
target_link_libraries(train_lenet5 PRIVATE gradus::gradus)
