(module
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32 i32 i32 i32 i32 i32 i32)))
  (import "nn" "m" (memory (;0;) 0 65536))
  (import "nn" "wait" (func (;0;) (type 0)))
  (func $map (type 1) (param i32 i32 i32 i32 i32 i32 i32)
    (local i32 i32 i32 i32 v128 v128 v128 v128)
    (local.set 7
      (local.get 2))
    (local.set 8
      (local.get 0))
    (local.set 9
      (local.get 1))
    (local.set 10
      (i32.const 2))
    (loop  ;; label = @1
      (local.set 11
        (v128.load align=4
          (local.get 8)))
      (local.set 12
        (v128.load align=4
          (local.get 9)))
      (local.set 13
        (f32x4.add
          (local.get 11)
          (local.get 12)))
      (local.set 14
        (f32x4.pmax
          (local.get 13)
          (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000)))
      (v128.store align=4
        (local.get 7)
        (local.get 14))
      (local.set 7
        (i32.add
          (local.get 7)
          (i32.const 16)))
      (local.set 8
        (i32.add
          (local.get 8)
          (i32.const 16)))
      (local.set 9
        (i32.add
          (local.get 9)
          (i32.const 16)))
      (local.set 10
        (i32.sub
          (local.get 10)
          (i32.const 1)))
      (br_if 0 (;@1;)
        (local.get 10)))))

;; constants: 
