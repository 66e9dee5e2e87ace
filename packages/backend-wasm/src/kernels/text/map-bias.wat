(module
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32 i32 i32 i32 i32 i32 i32)))
  (import "nn" "m" (memory (;0;) 0 65536))
  (import "nn" "wait" (func (;0;) (type 0)))
  (func $map (type 1) (param i32 i32 i32 i32 i32 i32 i32)
    (local i32 i32 i32 i32 i32 i32 i32 v128 i32 i32 i32 v128 v128 v128 v128)
    (local.set 7
      (i32.add
        (local.get 2)
        (i32.mul
          (local.get 5)
          (i32.const 144))))
    (local.set 8
      (i32.add
        (local.get 0)
        (i32.mul
          (local.get 5)
          (i32.const 144))))
    (local.set 9
      (local.get 5))
    (if  ;; label = @1
      (i32.lt_u
        (local.get 9)
        (local.get 6))
      (then
        (loop  ;; label = @2
          (local.set 10
            (local.get 7))
          (local.set 11
            (local.get 8))
          (local.set 12
            (local.get 1))
          (local.set 13
            (i32.const 0))
          (loop  ;; label = @3
            (local.set 14
              (v128.load32_splat
                (local.get 12)))
            (local.set 15
              (local.get 10))
            (local.set 16
              (local.get 11))
            (local.set 17
              (i32.const 2))
            (loop  ;; label = @4
              (local.set 18
                (v128.load align=4
                  (local.get 16)))
              (local.set 19
                (f32x4.add
                  (local.get 18)
                  (local.get 14)))
              (v128.store align=4
                (local.get 15)
                (local.get 19))
              (local.set 15
                (i32.add
                  (local.get 15)
                  (i32.const 16)))
              (local.set 16
                (i32.add
                  (local.get 16)
                  (i32.const 16)))
              (local.set 17
                (i32.sub
                  (local.get 17)
                  (i32.const 1)))
              (br_if 0 (;@4;)
                (local.get 17)))
            (local.set 20
              (v128.load32_splat
                (local.get 16)))
            (local.set 21
              (f32x4.add
                (local.get 20)
                (local.get 14)))
            (v128.store32_lane 0
              (local.get 15)
              (local.get 21))
            (local.set 15
              (i32.add
                (local.get 15)
                (i32.const 4)))
            (local.set 16
              (i32.add
                (local.get 16)
                (i32.const 4)))
            (local.set 10
              (i32.add
                (local.get 10)
                (i32.const 36)))
            (local.set 11
              (i32.add
                (local.get 11)
                (i32.const 36)))
            (local.set 12
              (i32.add
                (local.get 12)
                (i32.const 4)))
            (local.set 13
              (i32.add
                (local.get 13)
                (i32.const 1)))
            (br_if 0 (;@3;)
              (i32.lt_u
                (local.get 13)
                (i32.const 4))))
          (local.set 7
            (i32.add
              (local.get 7)
              (i32.const 144)))
          (local.set 8
            (i32.add
              (local.get 8)
              (i32.const 144)))
          (local.set 9
            (i32.add
              (local.get 9)
              (i32.const 1)))
          (br_if 0 (;@2;)
            (i32.lt_u
              (local.get 9)
              (local.get 6))))))))

;; constants: 
